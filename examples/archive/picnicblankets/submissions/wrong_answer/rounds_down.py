n, k = map(int, input().split())
sizes = list(map(int, input().split()))
blankets = sum(size // k for size in sizes)
print(blankets, blankets * k - sum(sizes))
