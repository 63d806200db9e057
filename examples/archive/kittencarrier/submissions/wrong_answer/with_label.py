a, b = map(int, input().split())
print("smaller:", min(a, b))
