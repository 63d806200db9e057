n, g = map(int, input().split())
weights = list(map(int, input().split()))
for i in range(1, n):
    if abs(weights[i] - weights[i - 1]) == g:
        print(i, i + 1)
        break
else:
    print("none")
