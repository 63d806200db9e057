a, w, s = map(int, input().split())
layer = [0] * w
for _ in range(a):
    row = input()
    layer = [max(layer[max(0, c - 1) : c + 2]) + (0 if row[c] == "m" else int(row[c])) for c in range(w)]
print(max(layer))
