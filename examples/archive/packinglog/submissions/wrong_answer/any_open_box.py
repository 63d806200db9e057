n = int(input())
boxes = []
answer = None
for number in range(1, n + 1):
    action, name = input().split()
    if action == "open":
        boxes.append(name)
    elif name in boxes:
        boxes.remove(name)
    else:
        answer = f"entry {number}"
        break
if answer is None:
    answer = f"open {len(boxes)}" if boxes else "done"
print(answer)
