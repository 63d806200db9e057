n, q = map(int, input().split())
height = [0] * (n + 1)
for hour, change in enumerate(input().split(), start=1):
    height[hour] = height[hour - 1] + int(change)
answers = []
for _ in range(q):
    first, last = map(int, input().split())
    answers.append(str(height[last] - height[first - 1]))
print("\n".join(answers))
