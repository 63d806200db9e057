teams = []
for _ in range(int(input())):
    name, points, minutes = input().split()
    teams.append((points, minutes, name))
teams.sort(key=lambda team: (team[1], team[2]))
teams.sort(key=lambda team: team[0], reverse=True)
for _, _, name in reversed(teams[:3]):
    print(name)
