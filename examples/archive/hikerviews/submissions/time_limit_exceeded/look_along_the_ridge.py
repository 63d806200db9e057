q = int(input())
h = list(map(int, input().split()))
pairs = 0
for left in range(q):
    tallest = 0
    for right in range(left + 1, q):
        if tallest <= h[left] and tallest <= h[right]:
            pairs += 1
        tallest = max(tallest, h[right])
print(pairs)
