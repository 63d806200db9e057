n = int(input())
counts = {}
for _ in range(n):
    motif = input().strip()
    counts[motif] = counts.get(motif, 0) + 1
print(n - len(counts), max(counts, key=lambda motif: (counts[motif], motif)))
