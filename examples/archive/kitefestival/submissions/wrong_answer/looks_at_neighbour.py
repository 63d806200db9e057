n = int(input())
lengths = list(map(int, input().split()))
print(1 + sum(b > a for a, b in zip(lengths, lengths[1:])))
