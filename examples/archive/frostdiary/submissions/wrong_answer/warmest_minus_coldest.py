d = int(input())
dawns = list(map(int, input().split()))
print(max(dawns) - min(dawns))
