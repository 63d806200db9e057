n, g = map(int, input().split())
place = {}
answer = "none"
for number, weight in enumerate(map(int, input().split()), start=1):
    partner = place.get(weight - g) or place.get(weight + g)
    if partner:
        answer = f"{partner} {number}"
        break
    place[weight] = number
print(answer)
