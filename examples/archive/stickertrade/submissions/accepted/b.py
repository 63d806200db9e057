import sys

copies = {}
for motif in sys.stdin.read().split()[1:]:
    copies[motif] = copies.get(motif, 0) + 1
spare = 0
best = ""
for motif in sorted(copies):
    spare += copies[motif] - 1
    if best == "" or copies[motif] > copies[best]:
        best = motif
print(spare, best)
