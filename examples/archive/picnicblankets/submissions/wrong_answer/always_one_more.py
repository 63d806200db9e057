n, k = map(int, input().split())
sizes = list(map(int, input().split()))
blankets = sum(size // k + 1 for size in sizes)
print(blankets, blankets * k - sum(sizes))
