n = int(input())
boxes = []
answer = None
for number in range(1, n + 1):
    action, name = input().split()
    if action == "open":
        boxes.append(name)
    elif boxes and boxes[-1] == name:
        boxes.pop()
    else:
        answer = f"entry {number}"
        break
if answer is None:
    answer = f"open {len(boxes)}" if boxes else "done"
print(answer)
