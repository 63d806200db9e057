a, w, s = map(int, input().split())
g = [input() for _ in range(a)]


def walk(column):
    eaten, wet = 0, 0
    for row in g:
        reach = [c for c in (column - 1, column, column + 1) if 0 <= c < w] if row is not g[0] else [column]
        column = max(reach, key=lambda c: -1 if row[c] == "m" else int(row[c]))
        if row[column] == "m":
            wet += 1
        else:
            eaten += int(row[column])
    return eaten if wet <= s else -1


best = max(walk(c) for c in range(w))
print("splash" if best < 0 else best)
