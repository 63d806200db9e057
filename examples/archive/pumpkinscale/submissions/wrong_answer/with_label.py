a, b = map(int, input().split())
print("larger:", max(a, b))
