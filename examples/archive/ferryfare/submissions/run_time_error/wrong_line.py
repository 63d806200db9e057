a = int(input())
b = int(input())
print(min(a, b))
