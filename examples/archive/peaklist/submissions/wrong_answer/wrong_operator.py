n = int(input())
values = list(map(int, input().split()))
print(min(values))
