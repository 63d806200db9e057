n = int(input())
values = list(map(int, input().split()))
print(values[-1])
