n, d = map(int, input().split())
posts = sorted(map(int, input().split()))
count = longest = run = 0
for metre in range(posts[0], posts[-1]):
    if any(abs(post - metre - 0.5) <= d for post in posts):
        run = 0
    else:
        run += 1
        count += run == 1
        longest = max(longest, run)
print(count, longest)
