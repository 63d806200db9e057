m = int(input())
speeds = [int(input().split()[1]) for _ in range(m)]
print(sum(speeds) / m)
