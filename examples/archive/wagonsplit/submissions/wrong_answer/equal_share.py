w, b = map(int, input().split())
blocks = list(map(int, input().split()))
share = sum(blocks) / w
heaviest = current = 0
left = w
for block in blocks:
    current += block
    if current >= share and left > 1:
        heaviest = max(heaviest, current)
        current = 0
        left -= 1
print(max(heaviest, current))
