"""What an application imports: handles, resources, foreign objects."""
