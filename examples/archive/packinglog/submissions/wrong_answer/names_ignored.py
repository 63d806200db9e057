n = int(input())
depth = 0
answer = None
for number in range(1, n + 1):
    action, name = input().split()
    depth += 1 if action == "open" else -1
    if depth < 0:
        answer = f"entry {number}"
        break
print(answer or (f"open {depth}" if depth else "done"))
