m = int(input())
distance = seconds = 0
for _ in range(m):
    length, speed = map(int, input().split())
    distance += length
    seconds += length / speed
print(round(distance / seconds, 1))
