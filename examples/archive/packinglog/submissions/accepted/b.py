import sys


def check(entries):
    stack = []
    for number, entry in enumerate(entries, start=1):
        action, name = entry.split()
        if action == "open":
            stack.append(name)
        elif not stack or stack.pop() != name:
            return f"entry {number}"
    return f"open {len(stack)}" if stack else "done"


print(check(sys.stdin.read().splitlines()[1:]))
