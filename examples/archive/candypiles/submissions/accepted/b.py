n = int(input())
half = n // 2
print(half, n - half)
