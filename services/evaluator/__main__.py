"""`python -m services.evaluator`."""

from services.evaluator.app import main

if __name__ == "__main__":
    main()
