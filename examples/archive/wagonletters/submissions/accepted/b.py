import sys
word = sys.stdin.readline().strip()
print("".join(reversed(word)))
