import sys
x, y = sys.stdin.readline().split()
print(int(x) * int(y))
