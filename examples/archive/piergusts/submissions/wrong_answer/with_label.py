n = int(input())
values = list(map(int, input().split()))
print("largest:", max(values))
