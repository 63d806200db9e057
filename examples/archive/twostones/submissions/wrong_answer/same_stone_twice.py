n, g = map(int, input().split())
weights = list(map(int, input().split()))
place = {weight: number for number, weight in enumerate(weights, start=1)}
for number, weight in enumerate(weights, start=1):
    if weight + g in place:
        print(number, place[weight + g])
        break
else:
    print("none")
