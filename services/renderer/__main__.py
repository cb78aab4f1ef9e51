"""`python -m services.renderer`."""

from services.renderer.app import main

if __name__ == "__main__":
    main()
