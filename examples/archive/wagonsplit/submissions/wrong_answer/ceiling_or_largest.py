w, b = map(int, input().split())
blocks = list(map(int, input().split()))
print(max(max(blocks), -(-sum(blocks) // w)))
