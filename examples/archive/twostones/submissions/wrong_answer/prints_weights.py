n, g = map(int, input().split())
weights = set(map(int, input().split()))
for weight in sorted(weights):
    if weight + g in weights:
        print(weight, weight + g)
        break
else:
    print("none")
