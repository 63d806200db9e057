input()
h = list(map(int, input().split()))
seen = set()
for order in (range(len(h)), range(len(h) - 1, -1, -1)):
    stack = []
    for i in order:
        while stack and h[stack[-1]] < h[i]:
            stack.pop()
        if stack:
            seen.add((min(i, stack[-1]), max(i, stack[-1])))
        stack.append(i)
print(len(seen))
