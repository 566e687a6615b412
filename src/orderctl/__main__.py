"""`python -m orderctl`."""

from orderctl.cli.main import main

if __name__ == "__main__":
    main()
