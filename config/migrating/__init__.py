"""Migrations, proved before they are deployed: walked both ways, drawn, planned."""
