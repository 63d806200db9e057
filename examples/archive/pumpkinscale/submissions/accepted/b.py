import sys
x, y = sys.stdin.readline().split()
print(max(int(x), int(y)))
