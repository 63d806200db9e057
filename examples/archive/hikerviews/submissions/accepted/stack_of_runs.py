import sys


def main():
    heights = list(map(int, sys.stdin.read().split()))[1:]
    stack = []
    pairs = 0
    for height in heights:
        alike = 1
        while stack and stack[-1][0] <= height:
            other, amount = stack.pop()
            pairs += amount
            if other == height:
                alike += amount
        if stack:
            pairs += 1
        stack.append((height, alike))
    print(pairs)


main()
