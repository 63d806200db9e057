from collections import Counter

n = int(input())
counts = Counter(input().strip() for _ in range(n))
print(n - len(counts), counts.most_common(1)[0][0])
