"""What Milepost is deployed with."""
