n = int(input())
motifs = [input().strip() for _ in range(n)]
counts = {motif: motifs.count(motif) for motif in set(motifs)}
favourite = min(counts, key=lambda motif: (-counts[motif], motif))
print(sum(count > 1 for count in counts.values()), favourite)
