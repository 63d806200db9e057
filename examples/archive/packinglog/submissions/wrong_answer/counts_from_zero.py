n = int(input())
boxes = []
answer = None
for number in range(n):
    action, name = input().split()
    if action == "open":
        boxes.append(name)
    elif boxes and boxes[-1] == name:
        boxes.pop()
    else:
        answer = f"entry {number}"
        break
print(answer or (f"open {len(boxes)}" if boxes else "done"))
