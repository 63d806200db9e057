input()
stack = []
pairs = 0
for height in map(int, input().split()):
    while stack and stack[-1] < height:
        stack.pop()
        pairs += 1
    if stack:
        pairs += 1
        if stack[-1] == height:
            stack.pop()
    stack.append(height)
print(pairs)
