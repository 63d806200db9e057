a, b = map(int, input().split())
print("total:", a + b)
