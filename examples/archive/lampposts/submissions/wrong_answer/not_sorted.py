n, d = map(int, input().split())
posts = list(map(int, input().split()))
dark = [b - a - 2 * d for a, b in zip(posts, posts[1:]) if b - a > 2 * d]
print(len(dark), max(dark, default=0))
