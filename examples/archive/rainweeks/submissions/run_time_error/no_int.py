n = int(input())
values = input().split()
print(sum(values))
