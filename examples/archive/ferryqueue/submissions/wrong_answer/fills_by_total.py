length, n = map(int, input().split())
vehicles = list(map(int, input().split()))
total = sum(vehicles) + n - 1
crossings = -(-total // length)
print(crossings, crossings * length - total)
