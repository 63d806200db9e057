a, b = map(int, input().split())
print("product:", a * b)
