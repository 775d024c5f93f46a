"""The rules of the policy pack. They know neither Pulumi nor the program: plain data in, messages out."""
