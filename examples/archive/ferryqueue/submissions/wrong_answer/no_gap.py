length, n = map(int, input().split())
crossings, free = 1, length
for vehicle in map(int, input().split()):
    if vehicle > free:
        crossings += 1
        free = length
    free -= vehicle
print(crossings, free)
