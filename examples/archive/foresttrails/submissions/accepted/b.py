import sys
x, y = sys.stdin.readline().split()
print(min(int(x), int(y)))
