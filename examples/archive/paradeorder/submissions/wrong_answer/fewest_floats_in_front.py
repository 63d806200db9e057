import sys

data = list(map(int, sys.stdin.read().split()))
f = data[0]
count = [0] * (f + 1)
for w in data[3::2]:
    count[w] += 1
print(*sorted(range(1, f + 1), key=lambda x: count[x]))
