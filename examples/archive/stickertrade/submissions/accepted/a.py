from collections import Counter

n = int(input())
counts = Counter(input().strip() for _ in range(n))
favourite = min(counts, key=lambda motif: (-counts[motif], motif))
print(n - len(counts), favourite)
